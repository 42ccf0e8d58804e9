import {
  defaultTypeResolver,
  type ExecutionResult,
  type FieldNode,
  type GraphQLAbstractType,
  GraphQLError,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  getArgumentValues,
} from 'graphql';
import type { OperationParts, Variables } from './collect-fields.ts';
import {
  ExecutionErrors,
  errorAt,
  type Path,
  runtimeTypeOf,
  wrongTypeError,
} from './execution-errors.ts';
import type { SelectedField, Selection, Shape } from './selection.ts';

type Data = Record<string, unknown>;

/**
 * One execution of a compiled operation. It follows the algorithm of GraphQL, 6.2 to 6.4, in the order of
 * graphql-js, so that resolvers run in the same order and errors have the same paths.
 */
export class Execution {
  readonly #parts: OperationParts;
  readonly #variables: Variables;
  readonly #rootValue: unknown;
  readonly #context: unknown;
  readonly #errors = new ExecutionErrors();

  constructor(parts: OperationParts, variables: Variables, rootValue: unknown, context: unknown) {
    this.#parts = parts;
    this.#variables = variables;
    this.#rootValue = rootValue;
    this.#context = context;
  }

  /** @param selectionOf returns the root selection, or throws the error of the operation */
  run(selectionOf: () => Selection): ExecutionResult | Promise<ExecutionResult> {
    try {
      const { operation } = this.#parts;
      const selection = selectionOf();
      const data =
        operation.operation === 'mutation'
          ? this.#executeInTurn(selection)
          : this.#executeFields(selection, this.#rootValue, undefined);
      if (!(data instanceof Promise)) return this.#resultOf(data);
      return data.then(
        (done) => this.#resultOf(done),
        (error) => this.#fail(error),
      );
    } catch (error) {
      return this.#fail(error as GraphQLError);
    }
  }

  #fail(error: GraphQLError): ExecutionResult {
    this.#errors.add(error, undefined);
    return this.#resultOf(null);
  }

  #resultOf(data: Data | null): ExecutionResult {
    const { found } = this.#errors;
    return found.length === 0 ? { data } : { errors: found, data };
  }

  /** Executes the fields of a mutation, each after the one before. */
  #executeInTurn({ fields }: Selection): Data | Promise<Data> {
    const data: Data = {};
    const executeFrom = (start: number): Data | Promise<Data> => {
      for (let at = start; at < fields.length; at += 1) {
        const field = fields[at] as SelectedField;
        const value = this.#executeField(field, this.#rootValue, undefined);
        if (isPromise(value)) {
          return value.then((done) => {
            setOwn(data, field.responseName, done);
            return executeFrom(at + 1);
          });
        }
        setOwn(data, field.responseName, value);
      }
      return data;
    };
    return executeFrom(0);
  }

  #executeFields(
    { fields }: Selection,
    source: unknown,
    path: Path | undefined,
  ): Data | Promise<Data> {
    const data: Data = {};
    let names: string[] | undefined;
    const waits: Promise<unknown>[] = [];
    try {
      for (const field of fields) {
        const { responseName } = field;
        const value = this.#executeField(field, source, path);
        setOwn(data, responseName, value);
        if (!isPromise(value)) continue;
        names ??= [];
        names.push(responseName);
        waits.push(value);
      }
    } catch (error) {
      if (!names) throw error;
      // The other fields have started. Their own errors must not end the process.
      return Promise.all(waits).then(
        () => Promise.reject(error),
        () => Promise.reject(error),
      );
    }
    if (!names) return data;
    const waiting = names;
    return Promise.all(waits).then((values) => {
      for (const [at, name] of waiting.entries()) setOwn(data, name, values[at]);
      return data;
    });
  }

  #executeField(field: SelectedField, source: unknown, parent: Path | undefined): unknown {
    const { resolve, typeName, definition } = field;
    if (typeName !== undefined) return typeName;
    let property: unknown;
    if (resolve === undefined) {
      property = isObject(source) ? source[definition.name] : undefined;
      if (typeof property !== 'function' && !isPromise(property)) {
        return this.#completeProperty(field, parent, property);
      }
    }
    const path = pathOf(field, parent);
    try {
      const info = this.#infoOf(field, path);
      const result = resolve
        ? resolve(source, this.#argumentsOf(field), this.#context, info)
        : typeof property === 'function'
          ? property.call(source, this.#argumentsOf(field), this.#context, info)
          : property;
      const completed = isPromise(result)
        ? result.then((value) => this.#complete(field, field.shape, info, path, value))
        : this.#complete(field, field.shape, info, path, result);
      if (!isPromise(completed)) return completed;
      return completed.then(undefined, (error) => this.#nullAt(field, field.shape, path, error));
    } catch (error) {
      return this.#nullAt(field, field.shape, path, error);
    }
  }

  #argumentsOf({ definition, fixedArguments, nodes: [node] }: SelectedField) {
    // Resolvers may change their arguments.
    if (fixedArguments) return { ...fixedArguments };
    return getArgumentValues(definition, node as FieldNode, this.#variables);
  }

  /** Completes a value that is a property of its object. A leaf needs a path only for its error. */
  #completeProperty(field: SelectedField, parent: Path | undefined, value: unknown): unknown {
    const { shape } = field;
    if (value == null && !shape.isNonNull) return null;
    if (shape.kind === 'leaf' && value != null) {
      const serialized = serialize(shape.type, value);
      if (serialized != null) return serialized;
    }
    const path = pathOf(field, parent);
    try {
      const completed = this.#complete(field, shape, undefined, path, value);
      if (!isPromise(completed)) return completed;
      return completed.then(undefined, (error) => this.#nullAt(field, shape, path, error));
    } catch (error) {
      return this.#nullAt(field, shape, path, error);
    }
  }

  #nullAt(field: SelectedField, { isNonNull }: Shape, path: Path, error: unknown): null {
    const located = errorAt(error, field.nodes, path);
    if (isNonNull) throw located;
    this.#errors.add(located, path);
    return null;
  }

  /** @throws the error of a value that is invalid, or null where its type is non-null */
  #complete(
    field: SelectedField,
    shape: Shape,
    info: GraphQLResolveInfo | undefined,
    path: Path,
    value: unknown,
  ): unknown {
    if (value instanceof Error) throw value;
    if (value == null) {
      if (!shape.isNonNull) return null;
      throw new Error(`Cannot return null for non-nullable field ${nameOf(field)}.`);
    }
    switch (shape.kind) {
      case 'leaf':
        return completeLeaf(shape.type, value);
      case 'list':
        return this.#completeList(field, shape.item, info, path, value);
      case 'abstract':
        return this.#completeAbstract(field, shape.type, info, path, value);
      case 'object':
        return this.#completeObject(field, shape.type, info, path, value);
    }
  }

  #completeList(
    field: SelectedField,
    shape: Shape,
    info: GraphQLResolveInfo | undefined,
    path: Path,
    value: unknown,
  ): unknown {
    if (!isIterable(value)) {
      const name = nameOf(field);
      throw new GraphQLError(`Expected Iterable, but did not find one for field "${name}".`);
    }
    const items: unknown[] = [];
    let waits: Promise<unknown>[] | undefined;
    try {
      for (const item of value) {
        const at: Path = { prev: path, key: items.length, typename: undefined };
        const completed = this.#completeItem(field, shape, info, at, item);
        items.push(completed);
        if (isPromise(completed)) {
          waits ??= [];
          waits.push(completed);
        }
      }
    } catch (error) {
      // The other items have started. Their own errors must not end the process.
      for (const wait of waits ?? []) wait.catch(() => {});
      throw error;
    }
    return waits ? Promise.all(items) : items;
  }

  #completeItem(
    field: SelectedField,
    shape: Shape,
    info: GraphQLResolveInfo | undefined,
    path: Path,
    item: unknown,
  ): unknown {
    try {
      const completed = isPromise(item)
        ? item.then((value) => this.#complete(field, shape, info, path, value))
        : this.#complete(field, shape, info, path, item);
      if (!isPromise(completed)) return completed;
      return completed.then(undefined, (error) => this.#nullAt(field, shape, path, error));
    } catch (error) {
      return this.#nullAt(field, shape, path, error);
    }
  }

  #completeAbstract(
    field: SelectedField,
    type: GraphQLAbstractType,
    known: GraphQLResolveInfo | undefined,
    path: Path,
    value: unknown,
  ): unknown {
    const { schema } = this.#parts;
    const resolveType = type.resolveType ?? defaultTypeResolver;
    const info = known ?? this.#infoOf(field, path);
    const complete = (name: unknown): unknown => {
      const runtimeType = runtimeTypeOf(schema, type, name, field.nodes);
      return this.#completeObject(field, runtimeType, info, path, value);
    };
    const name: unknown = resolveType(value, this.#context, info, type);
    return isPromise(name) ? name.then(complete) : complete(name);
  }

  #completeObject(
    field: SelectedField,
    type: GraphQLObjectType,
    known: GraphQLResolveInfo | undefined,
    path: Path,
    value: unknown,
  ): unknown {
    const selection = field.selectionOf(type);
    if (!type.isTypeOf) return this.#executeFields(selection, value, path);
    const execute = (isOfType: boolean): unknown => {
      if (!isOfType) throw wrongTypeError(type, field.nodes);
      return this.#executeFields(selection, value, path);
    };
    const isOfType = type.isTypeOf(value, this.#context, known ?? this.#infoOf(field, path));
    return isPromise(isOfType) ? isOfType.then(execute) : execute(isOfType as boolean);
  }

  #infoOf(field: SelectedField, path: Path): GraphQLResolveInfo {
    const { schema, fragments, operation } = this.#parts;
    return {
      fieldName: field.definition.name,
      fieldNodes: field.nodes,
      returnType: field.definition.type,
      parentType: field.parentType,
      path,
      schema,
      fragments,
      rootValue: this.#rootValue,
      operation,
      variableValues: this.#variables,
    };
  }
}

function pathOf({ responseName, parentType }: SelectedField, prev: Path | undefined): Path {
  return { prev, key: responseName, typename: parentType.name };
}

function nameOf({ parentType, definition }: SelectedField): string {
  return `${parentType.name}.${definition.name}`;
}

/** Returns undefined for a value that its type refuses. */
function serialize(type: GraphQLLeafType, value: unknown): unknown {
  if (value instanceof Error) return undefined;
  try {
    return type.serialize(value);
  } catch {
    return undefined;
  }
}

function completeLeaf(type: GraphQLLeafType, value: unknown): unknown {
  const serialized: unknown = type.serialize(value);
  if (serialized != null) return serialized;
  throw new Error(`${type.name}.serialize returned ${String(serialized)} for a value`);
}

/** Sets a property also if its name is `__proto__`. */
function setOwn(data: Data, name: string, value: unknown): void {
  if (name !== '__proto__') data[name] = value;
  else {
    Object.defineProperty(data, name, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function isPromise(value: unknown): value is Promise<unknown> {
  return isObject(value) && typeof value['then'] === 'function';
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Partial<Iterable<unknown>>)[Symbol.iterator] === 'function'
  );
}
