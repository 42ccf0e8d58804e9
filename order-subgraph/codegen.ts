import { subgraphCodegen } from '@gudang/subgraph/codegen';

export default subgraphCodegen({
  Order: '@gudang/events#OrderState',
  OrderChange: '../stream/orders-stream.ts#SentOrderChange',
  Stock: '../context.ts#StockReference',
});
