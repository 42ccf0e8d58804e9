import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  type DocumentNode,
  type FieldDefinitionNode,
  Kind,
  parse,
  valueFromASTUntyped,
} from 'graphql';

const supergraphPath = fileURLToPath(new URL('../../gateway/supergraph.graphql', import.meta.url));

/** Path of the page on access rights that `npm run schema` writes. */
export const accessPagePath = fileURLToPath(new URL('../../docs/access.md', import.meta.url));

/** Types from which a client reaches all others. */
const ROOTS = ['Query', 'Mutation', 'Subscription'];
const SCOPE = /`([a-z]+(?::[a-z]+)+)`/g;

/** REST routes, and the field whose rights each needs. */
const ROUTES: readonly (readonly [string, string])[] = [
  ['GET /order/', 'Query.orders'],
  ['POST /order/add-order', 'Mutation.createOrder'],
  ['POST /order/cancel/:id', 'Mutation.cancelOrder'],
  ['GET /stock/', 'Query.stocks'],
  ['GET /stock/:id', 'Query.stock'],
  ['POST /stock/add-stock', 'Mutation.addStock'],
  ['PUT /stock/update/:id', 'Mutation.updateStock'],
  ['DELETE /stock/delete/:id', 'Mutation.deleteStock'],
];

/** A field of the graph and what it needs. */
export interface FieldAccess {
  /** `Type.field`. */
  readonly name: string;
  readonly isRoot: boolean;
  /** Alternatives, each a set of scopes; empty if no scope is needed. */
  readonly scopes: readonly (readonly string[])[];
  readonly needsToken: boolean;
  /** Scopes that the description names, but that the field does not require. */
  readonly mentioned: readonly string[];
}

/** Returns the content of docs/access.md: who may use which field when auth is on. */
export async function accessPage(): Promise<string> {
  return renderAccess(fieldsOf(parse(await readFile(supergraphPath, 'utf8'))));
}

/** Lists the fields of all object types of a supergraph, without those of federation. */
export function fieldsOf(document: DocumentNode): FieldAccess[] {
  return document.definitions.flatMap((type) => {
    if (type.kind !== Kind.OBJECT_TYPE_DEFINITION || type.name.value.includes('__')) return [];
    return (type.fields ?? []).map((field) => accessOf(type.name.value, field));
  });
}

function accessOf(type: string, field: FieldDefinitionNode): FieldAccess {
  const { directives = [] } = field;
  const required = directives.find(({ name }) => name.value === 'requiresScopes')?.arguments?.[0];
  const scopes = required ? (valueFromASTUntyped(required.value) as string[][]) : [];
  const named = [...(field.description?.value ?? '').matchAll(SCOPE)].map(
    ([, scope = '']) => scope,
  );
  return {
    name: `${type}.${field.name.value}`,
    isRoot: ROOTS.includes(type),
    scopes,
    needsToken:
      required !== undefined || directives.some(({ name }) => name.value === 'authenticated'),
    mentioned: [...new Set(named)].filter((scope) => !scopes.flat().includes(scope)),
  };
}

/** Renders the page for the given fields. */
export function renderAccess(fields: readonly FieldAccess[]): string {
  const rootOrProtected = fields.filter(({ isRoot, needsToken }) => isRoot || needsToken);
  const open = rootOrProtected.filter(({ needsToken }) => !needsToken);
  const token = rootOrProtected.filter(
    ({ needsToken, scopes }) => needsToken && scopes.length === 0,
  );
  return `# Access

Who may use which field when auth is on. Generated from the directives \`@authenticated\` and
\`@requiresScopes\` of gateway/supergraph.graphql by \`npm run schema\`. With \`AUTH=off\` every caller has
full access. [schema.md](schema.md) describes each field.

A token states its scopes in the claim \`scope\`, separated by spaces, or in \`scp\`. An operation with a
field that the caller may not use is refused as a whole: \`UNAUTHENTICATED\` without a token, \`FORBIDDEN\`
without the scope.

## Anonymous callers

A caller without a token may use these fields, and all fields of the objects that they return, except the
protected fields in the next tables:

${list(open)}

Of an order inside a public object, such as \`StockChange.order\` and \`Movement.order\`, a caller who may not see
the order gets no more than the description of that field says.

## Any valid token

${list(token)}

## Scopes

| scope | required by | widens |
| --- | --- | --- |
${scopeRows(fields).join('\n')}

“Widens” lists fields that need less, and that return more with the scope.

## REST

A route of the legacy REST API needs the same as the field that does the same:

| route | field | needs |
| --- | --- | --- |
${ROUTES.map(([route, name]) => `| \`${route}\` | \`${name}\` | ${needsOf(fields, name)} |`).join('\n')}

## Operators

\`/metrics\`, \`/readyz\`, \`/healthz\` and \`/status\` need no token. Keep them inside your network, as the edge
of [docker](../docker/README.md) does. \`/journeys\`, which only \`npm start\` turns on, needs any valid token if auth is on.
`;
}

const list = (fields: readonly FieldAccess[]): string =>
  fields.map(({ name }) => `- \`${name}\``).join('\n');

function scopeRows(fields: readonly FieldAccess[]): string[] {
  const all = new Set(fields.flatMap(({ scopes, mentioned }) => [...scopes.flat(), ...mentioned]));
  const names = (chosen: readonly FieldAccess[]): string =>
    chosen.map(({ name }) => `\`${name}\``).join(', ');
  return [...all].sort().map((scope) => {
    const required = fields.filter(({ scopes }) => scopes.flat().includes(scope));
    const widened = fields.filter(({ mentioned }) => mentioned.includes(scope));
    return `| \`${scope}\` | ${names(required)} | ${names(widened)} |`;
  });
}

/** @throws if the graph has no such field */
function needsOf(fields: readonly FieldAccess[], name: string): string {
  const field = fields.find((one) => one.name === name);
  if (!field) throw new Error(`The graph has no field ${name}, which a REST route names`);
  if (!field.needsToken) return 'nothing';
  const alternatives = field.scopes.map((all) => all.map((scope) => `\`${scope}\``).join(' and '));
  return alternatives.join(', or ') || 'any valid token';
}
