#!/bin/sh
# Legacy scenario: adds a stock of 100, orders 10, and shows that 90 remain.
# Needs a running `npm start`.
set -eu
orders=${ORDER_URL:-http://localhost:8000}
stocks=${STOCK_URL:-http://localhost:8001}
json='Content-Type: application/json'

added=$(curl -sS "$stocks/stock/add-stock" -H "$json" -d '{"name":"Kopi Gayo","quantity":100}')
echo "$added"
id=$(echo "$added" | sed 's/.*"id":"\([^"]*\)".*/\1/')

curl -sS "$orders/order/add-order" -H "$json" -d '{"productid":"'"$id"'","quantity":10}'
echo
sleep 2
curl -sS "$stocks/stock/$id"
echo
