import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  buildASTSchema,
  type DocumentNode,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  type GraphQLType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isObjectType,
  isScalarType,
  isSpecifiedScalarType,
  Kind,
  parse,
  valueFromASTUntyped,
} from 'graphql';

/** Path of the composed supergraph, which `npm run supergraph` writes. */
const supergraphPath = fileURLToPath(new URL('../../gateway/supergraph.graphql', import.meta.url));

/** Path of the reference page that `npm run schema` writes. */
export const schemaPagePath = fileURLToPath(new URL('../../docs/schema.md', import.meta.url));

type Field = GraphQLField<unknown, unknown>;
type Described = { readonly description?: string | null | undefined };

/** Returns the content of docs/schema.md: the reference of the public graph. */
export async function schemaPage(): Promise<string> {
  return renderSchema(await readFile(supergraphPath, 'utf8'));
}

/** @param supergraphSdl a composed supergraph. The page omits its federation types and directives. */
export function renderSchema(supergraphSdl: string): string {
  const schema = buildASTSchema(withoutFederation(parse(supergraphSdl)), { assumeValid: true });
  const types = publicTypes(schema);
  const roots: [string, GraphQLObjectType | null | undefined][] = [
    ['Queries', schema.getQueryType()],
    ['Mutations', schema.getMutationType()],
    ['Subscriptions', schema.getSubscriptionType()],
  ];
  return `${[
    '# Schema reference',
    'The public GraphQL API of the gateway. Generated from gateway/supergraph.graphql by\n`npm run schema`; the descriptions come from the subgraphs’ `schema.graphql`.',
    '**Access** names what a caller needs when authentication is on: a valid token, or a token with the\ngiven scopes. Without it the whole operation is refused with the error `UNAUTHENTICATED` or\n`FORBIDDEN`. With `AUTH=off` every caller has full access.',
    ...roots.flatMap(([title, type]) => (type ? [`## ${title}`, ...rootFields(type)] : [])),
    '## Objects',
    ...types.filter(isObjectType).flatMap(objectSection),
    '## Inputs',
    ...types
      .filter(isInputObjectType)
      .flatMap((type) => [
        ...heading(type),
        valuesTable('Field', Object.values(type.getFields()), typeLink),
      ]),
    '## Enums',
    ...types
      .filter(isEnumType)
      .flatMap((type) => [...heading(type), valuesTable('Value', [...type.getValues()])]),
    '## Scalars',
    ...types.filter(isScalarType).flatMap(heading),
  ].join('\n\n')}\n`;
}

/** Removes directives, and types that only the gateway and the subgraphs use, such as `join__Graph`. */
function withoutFederation(document: DocumentNode): DocumentNode {
  return {
    ...document,
    definitions: document.definitions.filter(
      (node) =>
        node.kind !== Kind.DIRECTIVE_DEFINITION &&
        !('name' in node && node.name?.value.includes('__')),
    ),
  };
}

/** Returns the types that a client can reach from the root types, sorted by name. */
function publicTypes(schema: GraphQLSchema): GraphQLNamedType[] {
  const found = new Set<GraphQLNamedType>();
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  const visit = (type: GraphQLNamedType): void => {
    if (found.has(type) || isSpecifiedScalarType(type)) return;
    found.add(type);
    if (!isObjectType(type) && !isInputObjectType(type)) return;
    for (const field of Object.values(type.getFields())) {
      visit(getNamedType(field.type as GraphQLType));
      if ('args' in field)
        for (const argument of field.args) visit(getNamedType(argument.type as GraphQLType));
    }
  };
  for (const root of roots) if (root) visit(root);
  return [...found]
    .filter((type) => !roots.some((root) => root === type))
    .toSorted((a, b) => a.name.localeCompare(b.name));
}

function rootFields(type: GraphQLObjectType): string[] {
  return Object.values(type.getFields()).flatMap((field) => {
    const access = accessOf(field);
    return [
      `### \`${type.name}.${field.name}\``,
      field.description ?? '',
      `Returns ${typeLink(field)}.${access ? ` Access: ${access}.` : ''}`,
      ...(field.args.length > 0 ? [valuesTable('Argument', [...field.args], typeLink)] : []),
    ];
  });
}

function objectSection(type: GraphQLObjectType): string[] {
  const fields = Object.values(type.getFields());
  return [
    ...heading(type),
    valuesTable('Field', fields, typeLink),
    ...fields
      .filter(({ args }) => args.length > 0)
      .flatMap((field) => [
        `Arguments of \`${type.name}.${field.name}\`:`,
        valuesTable('Argument', [...field.args], typeLink),
      ]),
  ];
}

function heading(type: GraphQLNamedType): string[] {
  return [`### ${type.name}`, type.description ?? ''];
}

function valuesTable<T extends Described & { readonly name: string }>(
  title: string,
  values: readonly T[],
  typeOf?: (value: T) => string,
): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const heads = [title, ...(typeOf ? ['Type'] : []), 'Description'];
  return [
    row(heads),
    row(heads.map(() => '---')),
    ...values.map((value) =>
      row([`\`${value.name}\``, ...(typeOf ? [typeOf(value)] : []), cellText(value)]),
    ),
  ].join('\n');
}

function cellText(value: Described): string {
  const access = 'args' in value ? accessOf(value as Field) : undefined;
  const text = (value.description ?? '')
    .replaceAll('|', '\\|')
    .split('\n\n')
    .map((paragraph) => paragraph.replaceAll('\n', ' '))
    .join('<br>');
  return access ? `${text}<br>Access: ${access}.` : text;
}

function typeLink({ type }: Field | GraphQLArgument | GraphQLInputField): string {
  const named = getNamedType(type as GraphQLType);
  return isSpecifiedScalarType(named)
    ? `\`${type}\``
    : `[\`${type}\`](#${named.name.toLowerCase()})`;
}

/** Returns the requirements of `@authenticated` and `@requiresScopes`; undefined if the field is public. */
function accessOf({ astNode }: Field): string | undefined {
  const directives = astNode?.directives ?? [];
  const scopes = directives.find(({ name }) => name.value === 'requiresScopes')?.arguments?.[0];
  if (scopes) {
    const alternatives = valueFromASTUntyped(scopes.value) as string[][];
    return alternatives
      .map((all) => all.map((scope) => `\`${scope}\``).join(' and '))
      .join(', or ')
      .replace(/^/, 'scope ');
  }
  const needsToken = directives.some(({ name }) => name.value === 'authenticated');
  return needsToken ? 'any valid token' : undefined;
}
