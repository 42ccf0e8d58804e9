import { subgraphCodegen } from '@gudang/subgraph/codegen';

export default subgraphCodegen({
  Stock: '@gudang/events#StockState',
  StockResult: '../stocks/run-batch.ts#ItemResult',
  StockChange: '../stream/stock-stream.ts#SentChange',
  Order: '../decisions/find-decisions.ts#ChangingOrder',
  Movement: '../stocks/ledger.ts#MovementRow',
});
