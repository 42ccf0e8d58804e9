import type { LiveDocument } from './document.ts';

/** A node of a GraphQL document. Only its shape is used, so that the package does not contain `graphql`. */
interface Node {
  readonly kind: string;
  readonly [field: string]: unknown;
}

/** Returns the text of an operation. */
// biome-ignore lint/suspicious/noExplicitAny: the text does not depend on the types
export function printDocument(document: LiveDocument<any, any>): string {
  if (typeof document === 'string') return document;
  return 'kind' in document ? print(document as unknown as Node) : String(document);
}

/** Prints a node of an executable document (GraphQL specification, section 2). */
function print(node: Node): string {
  const { kind, value } = node;
  /** Prints a field of the node, which is a node or a list; nothing if it is absent or empty. */
  const field = (name: string, start = '', end = '', separator = ' '): string => {
    const nodes = [node[name] ?? []].flat() as Node[];
    return nodes[0] ? start + nodes.map(print).join(separator) + end : '';
  };
  const name = field('name');
  const args = field('arguments', '(', ')');
  const type = field('type');
  const on = field('typeCondition', ' on ');
  const rest = field('directives', ' ') + field('selectionSet');
  switch (kind) {
    case 'Document':
      return field('definitions');
    case 'OperationDefinition':
      return `${node['operation']} ${name}${field('variableDefinitions', '(', ')')}${rest}`;
    case 'VariableDefinition':
      return `${field('variable')}:${type}${field('defaultValue', '=')}${rest}`;
    case 'SelectionSet':
      return field('selections', '{', '}');
    case 'Field':
      return field('alias', '', ':') + name + args + rest;
    case 'FragmentSpread':
    case 'InlineFragment':
      return `...${name}${on}${rest}`;
    case 'FragmentDefinition':
      return `fragment ${name}${on}${rest}`;
    case 'Directive':
      return `@${name}${args}`;
    case 'Argument':
    case 'ObjectField':
      return `${name}:${field('value')}`;
    case 'Variable':
      return `$${name}`;
    case 'ListType':
      return `[${type}]`;
    case 'NonNullType':
      return `${type}!`;
    case 'ListValue':
      return `[${field('values')}]`;
    case 'ObjectValue':
      return `{${field('fields')}}`;
    case 'StringValue':
      return JSON.stringify(value);
    case 'NullValue':
      return 'null';
    default:
      // Named types, names, numbers, booleans and enum values.
      return name || String(value);
  }
}
