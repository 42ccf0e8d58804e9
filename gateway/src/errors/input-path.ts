import { shorten } from '@gudang/graphql';
import {
  type ASTNode,
  type DocumentNode,
  type GraphQLInputType,
  type GraphQLSchema,
  isRequiredArgument,
  Kind,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';

/** Maximum number of uses of a variable that are found. */
const MAX_USES = 5;
/** Maximum length of a printed path, in characters. It contains names that clients choose. */
export const MAX_PATH_LENGTH = 500;

/** A value in an operation's arguments. Its path is printed only if an error is about it. */
export interface InputPlace {
  readonly parent: InputPlace | undefined;
  /** Name of an argument or field, or index in a list. */
  readonly key: string | number;
  readonly type: GraphQLInputType | undefined;
}

/** An argument that a field or directive requires, but does not have. */
export interface MissingArgument {
  readonly name: string;
  readonly type: GraphQLInputType;
}

export interface InputPlaces {
  readonly ofNode: ReadonlyMap<unknown, InputPlace>;
  /** The first uses of each variable. */
  readonly ofVariable: ReadonlyMap<string, readonly InputPlace[]>;
  readonly missing: ReadonlyMap<unknown, readonly MissingArgument[]>;
}

/** Kinds of nodes in arrays other than the values of a list. */
const NO_VALUES = new Set<string>([
  ...[Kind.VARIABLE_DEFINITION, Kind.DIRECTIVE, Kind.ARGUMENT, Kind.OBJECT_FIELD],
]);

/** Finds the places of all values, object fields and variables in an operation's arguments. */
export function inputPlaces(document: DocumentNode, schema: GraphQLSchema): InputPlaces {
  const ofNode = new Map<unknown, InputPlace>();
  const ofVariable = new Map<string, InputPlace[]>();
  const missing = new Map<unknown, readonly MissingArgument[]>();
  const typeInfo = new TypeInfo(schema);
  let current: InputPlace | undefined;
  const entered: (InputPlace | undefined)[] = [];
  visit(
    document,
    visitWithTypeInfo(typeInfo, {
      enter(node, key, parent) {
        entered.push(current);
        if (node.kind === Kind.FIELD || node.kind === Kind.DIRECTIVE) {
          const absent = missingArguments(node, typeInfo);
          if (absent.length > 0) missing.set(node, absent);
        }
        const step = stepTo(node, key, parent, current !== undefined);
        if (step === undefined && current === undefined) return;
        const type = typeInfo.getInputType() ?? typeInfo.getParentInputType() ?? undefined;
        const place: InputPlace =
          step === undefined
            ? { parent: current?.parent, key: current?.key ?? '', type }
            : { parent: current, key: step, type };
        current = place;
        ofNode.set(node, place);
        if (node.kind === Kind.VARIABLE && key !== 'variable') {
          addUse(ofVariable, node.name.value, place);
        }
      },
      leave() {
        current = entered.pop();
      },
    }),
  );
  return { ofNode, ofVariable, missing };
}

/** Returns the key of a node in its parent; undefined if the node is its parent's only value. */
function stepTo(
  node: ASTNode,
  key: string | number | undefined,
  parent: unknown,
  isInside: boolean,
): string | number | undefined {
  if (node.kind === Kind.VARIABLE_DEFINITION) return node.variable.name.value;
  if (node.kind === Kind.ARGUMENT || node.kind === Kind.OBJECT_FIELD) return node.name.value;
  // graphql-js passes the array of a list literal's values as the parent of each value.
  if (typeof key !== 'number' || !isInside || !Array.isArray(parent)) return undefined;
  return NO_VALUES.has((parent[0] as ASTNode).kind) ? undefined : key;
}

function missingArguments(
  node: { readonly kind: Kind; readonly arguments?: readonly { name: { value: string } }[] },
  typeInfo: TypeInfo,
): readonly MissingArgument[] {
  const definition = node.kind === Kind.FIELD ? typeInfo.getFieldDef() : typeInfo.getDirective();
  const given = node.arguments ?? [];
  return (definition?.args ?? []).filter(
    (argument) =>
      isRequiredArgument(argument) && !given.some(({ name }) => name.value === argument.name),
  );
}

function addUse(uses: Map<string, InputPlace[]>, name: string, place: InputPlace): void {
  const known = uses.get(name);
  if (!known) uses.set(name, [place]);
  else if (known.length < MAX_USES) {
    const path = printPlace(place);
    if (!known.some((one) => printPlace(one) === path)) known.push(place);
  }
}

/** Prints a place, such as `input.tags[1].label`. */
export function printPlace(place: InputPlace): string {
  const keys: (string | number)[] = [];
  for (let one: InputPlace | undefined = place; one; one = one.parent) keys.unshift(one.key);
  return printPath('', keys);
}

/** Prints a path that starts at a name or at a printed path. At most 500 characters are printed. */
export function printPath(start: string, keys: readonly (string | number)[]): string {
  let printed = start;
  for (const key of keys) {
    if (printed.length > MAX_PATH_LENGTH) break;
    const name = shorten(String(key), MAX_PATH_LENGTH);
    if (typeof key === 'number') printed += `[${name}]`;
    else printed += printed === '' ? name : `.${name}`;
  }
  return shorten(printed, MAX_PATH_LENGTH);
}
