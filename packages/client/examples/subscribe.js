import { createClient } from '@gudang/client';

const client = createClient({ url: 'http://localhost:4000/graphql' });
const changes = client.subscribe('subscription { stockChanged { stock { id quantity } } }');

for await (const { data } of changes) {
  if (data) console.log(data.stockChanged.stock);
}
