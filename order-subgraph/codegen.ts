import { subgraphCodegen } from '@gudang/subgraph/codegen';

export default subgraphCodegen({
  Order: '@gudang/events#OrderState',
  Stock: '../context.ts#StockReference',
});
