import { subgraphCodegen } from '@gudang/subgraph/codegen';

export default subgraphCodegen({
  Stock: '@gudang/events#StockState',
  StockChange: '../stream/stock-stream.ts#SentChange',
  Order: '../decisions/find-decisions.ts#ChangingOrder',
  Movement: '../stocks/ledger.ts#MovementRow',
});
