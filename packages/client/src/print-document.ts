import type { LiveDocument } from './document.ts';

/** A node of a GraphQL document. Only its shape is used, so that the package does not contain `graphql`. */
interface Node {
  readonly kind: string;
  readonly [field: string]: unknown;
}

const printed = new WeakMap<object, string>();

/** Returns the text of an operation. */
// biome-ignore lint/suspicious/noExplicitAny: the text does not depend on the types
export function printDocument(document: LiveDocument<any, any>): string {
  if (typeof document === 'string') return document;
  const node = document as unknown as Node;
  if (node.kind !== 'Document') return String(document);
  const text = printed.get(document) ?? print(node);
  printed.set(document, text);
  return text;
}

const list = (nodes: unknown, separator = ' ', start = '', end = ''): string => {
  const texts = ((nodes as readonly Node[] | undefined) ?? []).map(print);
  return texts.length > 0 ? start + texts.join(separator) + end : '';
};
const after = (start: string, node: unknown): string => (node ? start + print(node as Node) : '');

/** Prints a node of an executable document (GraphQL specification, section 2). */
function print(node: Node): string {
  const { kind, name, value, directives, selectionSet, typeCondition, type } = node;
  const text = String(value);
  const ending = after('', selectionSet);
  const decorated = list(directives, ' ', ' ');
  switch (kind) {
    case 'Document':
      return list(node['definitions']);
    case 'OperationDefinition':
      return `${node['operation']}${after(' ', name)}${list(node['variableDefinitions'], ',', '(', ')')}${decorated}${ending}`;
    case 'VariableDefinition':
      return `${after('', node['variable'])}${after(':', type)}${after('=', node['defaultValue'])}${decorated}`;
    case 'SelectionSet':
      return list(node['selections'], ' ', '{', '}');
    case 'Field':
      return `${after('', node['alias'])}${node['alias'] ? ':' : ''}${after('', name)}${list(node['arguments'], ',', '(', ')')}${decorated}${ending}`;
    case 'FragmentSpread':
      return `...${after('', name)}${decorated}`;
    case 'InlineFragment':
      return `...${after('on ', typeCondition)}${decorated}${ending}`;
    case 'FragmentDefinition':
      return `fragment ${after('', name)}${after(' on ', typeCondition)}${decorated}${ending}`;
    case 'Directive':
      return `@${after('', name)}${list(node['arguments'], ',', '(', ')')}`;
    case 'Argument':
    case 'ObjectField':
      return `${after('', name)}:${print(value as Node)}`;
    case 'Variable':
      return `$${after('', name)}`;
    case 'NamedType':
      return after('', name);
    case 'ListType':
      return `[${after('', type)}]`;
    case 'NonNullType':
      return `${after('', type)}!`;
    case 'ListValue':
      return `[${list(node['values'], ',')}]`;
    case 'ObjectValue':
      return `{${list(node['fields'], ',')}}`;
    case 'StringValue':
      return JSON.stringify(value);
    case 'NullValue':
      return 'null';
    default:
      // Names, numbers, booleans and enum values.
      return text;
  }
}
