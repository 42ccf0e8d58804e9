#!/bin/sh
# Sends a query and an order, and receives a live stream for two seconds.
graph=${GRAPH_URL:-http://localhost:4000/graphql}
json='Content-Type: application/json'

curl -sS "$graph" -H "$json" -d '{"query":"{ stocks(first: 3) { nodes { id name quantity } } }"}'
echo
curl -sS "$graph" -H "$json" -d '{
  "query": "mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id status } }",
  "variables": { "input": { "productId": "kopi-gayo", "quantity": 1 } }
}'
echo
curl -sSN --max-time 2 "$graph" -H 'Accept: text/event-stream' -H "$json" \
  -d '{"query":"subscription { stockChanged { kind stock { id quantity } cursor } }"}' || true
