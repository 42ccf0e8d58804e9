import { JSON_TYPE, json, type RestRequest } from './rest-client.ts';

export interface BadRequest extends RestRequest {
  readonly service: 'order' | 'stock';
  readonly what: string;
  readonly status: 400 | 404;
  /** Pattern of the field `Error` in the response. */
  readonly error: RegExp;
}

const NUL = '\u0000';
const HALF = '\ud800';
const ORDER_QUANTITY =
  /^quantity ([^;.]+(\.5)?; allowed:|must be) a whole number from 1 to 1,000,000$/;
const STOCK_QUANTITY =
  /^quantity ([^;.]+(\.5)?; allowed:|must be) a whole number from 0 to 2,147,483,647$/;
const PRODUCT = /^productid ([^;.]+; allowed:|must be) a text of 1 to 100 characters$/;
const NAME = /^name ([^;.]+; allowed:|must be) a text of 1 to 255 characters$/;

const ORDER = { productid: 'x', quantity: 1 };
const STOCK = { name: 'Kopi', quantity: 1 };

/** Requests whose body is missing, is no JSON object, or is not sent as JSON. */
const NO_OBJECTS: readonly [string, Omit<RestRequest, 'route'>, RegExp][] = [
  ['no body', {}, /^The body must be a JSON object$/],
  ['an empty body', { body: '' }, /^The body must be a JSON object$/],
  ['half of JSON', { body: '{"name":' }, /^The body must be valid JSON in UTF-8$/],
  ['bytes that are not UTF-8', { body: Buffer.from([0x22, 0xff, 0x22]) }, /valid JSON in UTF-8/],
  ['a list', { body: '[]' }, /^The body must be a JSON object$/],
  ['null', { body: 'null' }, /^The body must be a JSON object$/],
  ['a text', { body: '"Kopi"' }, /^The body must be a JSON object$/],
  ['a form', { body: 'name=Kopi', headers: form('x-www-form-urlencoded') }, /must be JSON, with/],
  [
    'JSON with the content type of a form',
    { body: json(STOCK), headers: form('x-www-form-urlencoded') },
    /JSON/,
  ],
  [
    'JSON without a content type',
    { body: json(STOCK), headers: {} },
    /Content-Type: application\/json$/,
  ],
  [
    'JSON with a content type that names JSON only as a parameter',
    { body: json(STOCK), headers: { 'content-type': 'text/plain; application/json' } },
    /Content-Type: application\/json$/,
  ],
  [
    'only a key that is named __proto__',
    { body: `{"__proto__":${json(STOCK)}}` },
    / is missing; .+\. quantity is missing; /,
  ],
  ['nested lists', { body: '['.repeat(100_000) + ']'.repeat(100_000) }, /must be a JSON object$/],
  ['too much', { body: json({ name: 'x'.repeat(300 * 1024) }) }, /^The body must have at most 256/],
];

function form(subtype: string): Record<string, string> {
  return { 'content-type': `application/${subtype}` };
}

/** Returns invalid quantities. The smallest valid quantity is 0 for a stock and 1 for an order. */
function quantities(smallest: number, largest: number): readonly (readonly [string, unknown])[] {
  return [
    ['one less than the least quantity', smallest - 1],
    ['one more than the largest quantity', largest + 1],
    ['a fraction', 1.5],
    ['a number in quotes', '1'],
    ['true', true],
    ['null', null],
    ['no quantity', undefined],
    ['a list as quantity', [1]],
  ];
}

function texts(longest: number): readonly (readonly [string, unknown])[] {
  return [
    ['an empty string', ''],
    ['a string that is too long', 'x'.repeat(longest + 1)],
    ['a NUL', `x${NUL}`],
    ['half a surrogate pair', `x${HALF}`],
    ['a number for a string', 7],
    ['null for a string', null],
    ['no string', undefined],
    ['an object for a string', { $gt: '' }],
  ];
}

function wrongFields(
  { service, route }: Pick<BadRequest, 'service' | 'route'>,
  good: Readonly<Record<string, unknown>>,
  field: string,
  values: readonly (readonly [string, unknown])[],
  error: RegExp,
): BadRequest[] {
  return values.map(([what, value]) => {
    const body = json({ ...good, [field]: value });
    return { service, route, what, status: 400, error, body };
  });
}

function bodies(
  at: Pick<BadRequest, 'service' | 'route'>,
  fields: readonly BadRequest[],
): BadRequest[] {
  const others = NO_OBJECTS.map(([what, request, error]) => {
    return { ...at, headers: JSON_TYPE, ...request, what, status: 400, error } as const;
  });
  return [...others, ...fields];
}

const ADD_ORDER = { service: 'order', route: 'POST /order/add-order' } as const;
const ADD_STOCK = { service: 'stock', route: 'POST /stock/add-stock' } as const;
const CANCEL = {
  service: 'order',
  route: 'POST /order/cancel/0199b3a4-1c7e-7a70-8f3c-2f6f3d1f2a11',
} as const;
const UPDATE = { service: 'stock', route: 'PUT /stock/update/known' } as const;

const unknownIds = [
  ['an unknown id', 'nothing', /^There is no stock with the id "nothing"$/],
  [
    'an id too long',
    'x'.repeat(101),
    /^id has 101 characters; allowed: a text of 1 to 100 characters$/,
  ],
  ['an id far too long', 'x'.repeat(1_001), /^There is nothing with so long an id$/],
  [
    'an id with a NUL',
    'x%00',
    /^id contains a NUL character .*; allowed: a text of 1 to 100 characters$/,
  ],
] as const;

/** Invalid requests to all routes. */
export const badRequests: readonly BadRequest[] = [
  ...bodies(ADD_ORDER, [
    ...wrongFields(ADD_ORDER, ORDER, 'productid', texts(100), PRODUCT),
    ...wrongFields(ADD_ORDER, ORDER, 'quantity', quantities(1, 1_000_000), ORDER_QUANTITY),
  ]),
  ...['', 'x'.repeat(101)].map((key): BadRequest => {
    const headers = { ...JSON_TYPE, 'idempotency-key': key };
    const what = `an Idempotency-Key of ${key.length} characters`;
    const error =
      /^Idempotency-Key (is empty|has 101 characters); allowed: a text of 1 to 100 characters$/;
    return { ...ADD_ORDER, what, status: 400, error, headers, body: json(ORDER) };
  }),
  ...[['a', 'b'], ['schlüssel']].map((keys): BadRequest => {
    const headers = { ...JSON_TYPE, 'idempotency-key': keys };
    const what = keys.length > 1 ? 'two Idempotency-Keys' : 'an Idempotency-Key beyond ASCII';
    const error = /^Idempotency-Key must be one header with printable ASCII characters$/;
    return { ...ADD_ORDER, what, status: 400, error, headers, body: json(ORDER) };
  }),
  ...texts(255).flatMap(([what, reason]): BadRequest[] => {
    // The reason is optional.
    if (reason === undefined || reason === null) return [];
    const error = /^reason ([^;.]+; allowed:|must be) a text of 1 to 255 characters/;
    return [{ ...CANCEL, what: `${what} as reason`, status: 400, error, body: json({ reason }) }];
  }),
  { ...CANCEL, what: 'an unknown id', status: 404, error: /^There is no order with the id / },
  {
    ...CANCEL,
    route: 'POST /order/cancel/nothing',
    what: 'an id that is no UUID',
    status: 404,
    error: /^There is no order with the id "nothing"$/,
  },
  ...[ADD_STOCK, UPDATE].flatMap((at) =>
    bodies(at, [
      ...wrongFields(at, STOCK, 'name', texts(255), NAME),
      ...wrongFields(at, STOCK, 'quantity', quantities(0, 2_147_483_647), STOCK_QUANTITY),
    ]),
  ),
  ...unknownIds.flatMap(([what, id, error]): BadRequest[] => {
    const missing = { service: 'stock', what, status: 404, error } as const;
    return [
      { ...missing, route: `GET /stock/${id}` },
      { ...missing, route: `PUT /stock/update/${id}`, body: json(STOCK) },
      { ...missing, route: `DELETE /stock/delete/${id}` },
    ];
  }),
  ...['GET /stock', 'PUT /stock/update', 'DELETE /stock/delete'].map((route): BadRequest => {
    const error = /^The address must be valid percent-encoded UTF-8$/;
    const what = 'an id that is not UTF-8';
    return { service: 'stock', route: `${route}/%ff`, what, status: 400, error };
  }),
  ...['GET /stock/known#x', 'DELETE /stock/delete/known#x'].map((route): BadRequest => {
    const error = /^The address must be without #$/;
    return { service: 'stock', route, what: 'a fragment', status: 400, error };
  }),
  {
    ...ADD_STOCK,
    what: 'a number beyond all limits',
    status: 400,
    error: STOCK_QUANTITY,
    body: '{"name":"Kopi","quantity":1e400}',
  },
  {
    service: 'order',
    route: `GET /order/${'x/'.repeat(2_000)}`,
    what: 'a long path',
    status: 404,
    error: /^There is no GET .{200} here$/,
  },
  ...(['GET /order/nothing', 'DELETE /order/'] as const).map((route): BadRequest => {
    return { service: 'order', route, what: 'no route', status: 404, error: /^There is no / };
  }),
];
