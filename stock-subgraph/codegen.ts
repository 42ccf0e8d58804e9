import { subgraphCodegen } from '@gudang/subgraph/codegen';

export default subgraphCodegen({
  Stock: '@gudang/events#StockState',
  StockChange: '../stream/stock-stream.ts#SentChange',
  Movement: '../stocks/ledger.ts#MovementRow',
});
