import {
  type CompositeType,
  isCompositeType,
  isObjectType,
  type NamedType,
  type OutputType,
  type Schema,
} from '@apollo/federation-internals';
import type { Condition, Conditions, Shape, Step } from './compile-selection.ts';
import type { Misfit } from './completion-errors.ts';
import { createBare, type Data, own } from './merge-data.ts';
import type { Values } from './plan-executor.ts';

type Output = Record<string, unknown>;

export interface Shaped {
  readonly data: Values | null;
  readonly misfits: readonly Misfit[];
}

/** A deferred fragment of one object in the data. */
export interface DeferredFragment {
  readonly label: string;
  /** Path of the object in the result. */
  readonly path: readonly (string | number)[];
  readonly selection: readonly Step[];
  readonly type: CompositeType;
  readonly input: Data;
}

/**
 * Shapes the subgraphs' data into the result: only selected fields, in the order of the operation,
 * and null where the schema's types require it. The rules are the same as in resultShaping.ts of
 * @apollo/gateway, but the selection is compiled. For most values, this hot path uses no imports
 * from federation-internals: in a bundle, every access to a CommonJS import calls a getter, which
 * is slow. Two rules differ from @apollo/gateway: an object of an unknown type is null without an
 * error, and a non-null value that is null is always reported.
 */
export function shapeResult({
  selection,
  root,
  schema,
  variables,
  input,
  deferred,
}: {
  selection: readonly Step[];
  /** The operation's root type. */
  root: CompositeType;
  schema: Schema;
  /** Variables, including default values. */
  variables: Values;
  input: Values;
  /** Receives the deferred fragments, which are left out then. */
  deferred?: DeferredFragment[] | undefined;
}): Shaped {
  const shaper = new Shaper(schema, variables, deferred);
  const data = createBare();
  const isWhole = shaper.select(selection, input, data, root);
  return { data: isWhole ? data : null, misfits: shaper.misfits };
}

/** Shapes the data of a deferred fragment. @param deferred receives the deferred fragments inside it */
export function shapeFragment(
  { path, selection, type, input }: DeferredFragment,
  schema: Schema,
  variables: Values,
  deferred: DeferredFragment[],
): Shaped {
  const shaper = new Shaper(schema, variables, deferred, path);
  const data = createBare();
  const isWhole = shaper.select(selection, input, data, type);
  return { data: isWhole ? data : null, misfits: shaper.misfits };
}

class Shaper {
  readonly misfits: Misfit[] = [];
  private readonly schema: Schema;
  private readonly variables: Values;
  private readonly path: (string | number)[];
  private readonly deferred: DeferredFragment[] | undefined;
  /** Whether the last completed value makes its parent null. */
  private invalid = false;
  /** Whether an error has already been reported for the last completed value. */
  private reported = false;

  constructor(
    schema: Schema,
    variables: Values,
    deferred?: DeferredFragment[] | undefined,
    path: readonly (string | number)[] = [],
  ) {
    this.schema = schema;
    this.variables = variables;
    this.deferred = deferred;
    this.path = Array.from(path);
  }

  /** @returns false if the object must be null */
  select(steps: readonly Step[], input: Values, output: Output, parent: CompositeType): boolean {
    for (const step of steps) {
      if (step.conditions && this.leavesOut(step.conditions)) continue;
      if (step.kind === 'field') {
        const { name, isLeaf } = step;
        const value = own(input, step.source) ?? null;
        // Nearly every value is valid without conversion. The path is needed only for errors, so it
        // is not extended for such values.
        if (isLeaf && value !== null && output[name] === undefined && isLeaf(value)) {
          output[name] = value;
          continue;
        }
        this.path.push(name);
        output[name] = this.complete(step.shape, output[name], value, step.selection, parent);
        this.path.pop();
        if (this.invalid) return false;
      } else if (step.kind === 'typename') {
        if (output[step.name] !== undefined) continue;
        const type = this.objectType(step.source, input, parent);
        if (!isObjectType(type)) return false;
        output[step.name] = type.name;
      } else {
        if (!step.isFor(this.typeOf(input, parent))) continue;
        if (step.label !== undefined && this.deferred) {
          this.defer(step.label, step.selection, step.type ?? parent, input);
          continue;
        }
        if (!this.select(step.selection, input, output, step.type ?? parent)) return false;
      }
    }
    return true;
  }

  private defer(
    label: string,
    selection: readonly Step[],
    type: CompositeType,
    input: Values,
  ): void {
    this.deferred?.push({ label, path: Array.from(this.path), selection, type, input });
  }

  private typeOf(input: Values, parent: CompositeType): NamedType | undefined {
    const typename = input['__typename'];
    if (!typename) return parent;
    if (typeof typename === 'string') return this.schema.type(typename);
    throw new Error(`Got unexpected value for __typename: ${typename}`);
  }

  private objectType(name: string, input: Values, parent: CompositeType): NamedType {
    let value = own(input, name) ?? null;
    if (value === null && name !== '__typename') value = input['__typename'] ?? null;
    return typeof value === 'string' ? (this.schema.type(value) ?? parent) : parent;
  }

  private leavesOut({ skip, include }: Conditions): boolean {
    return (skip && this.holds(skip)) || (include !== undefined && !this.holds(include)) || false;
  }

  private holds({ given, directive }: Condition): boolean {
    if (typeof given === 'boolean') return given;
    const value = this.variables[given.variable];
    if (typeof value === 'boolean') return value;
    throw new Error(`Unexpected value ${value} for variable $${given.variable} of ${directive}`);
  }

  /** @param before result of an earlier selection of the same field */
  private complete(
    shape: Shape,
    before: unknown,
    input: unknown,
    selection: readonly Step[] | undefined,
    parent: CompositeType,
  ): unknown {
    if (before === null || (before !== undefined && !selection)) return this.done(before);
    if (shape.kind === 'nonNull') {
      const value = this.complete(shape.of, before, input, selection, parent);
      if (value !== null) return this.done(value);
      if (!this.reported) this.fail('Cannot return null for non-nullable', shape.ofType, parent);
      this.invalid = true;
      this.reported = true;
      return null;
    }
    if (input === null) return this.done(null);
    if (shape.kind === 'list') {
      return this.completeList(shape, before, input, selection, parent);
    }
    if (shape.kind === 'composite') {
      return this.completeObject(shape.type, before, input, selection);
    }
    if (shape.isValid(input)) return this.done(input);
    this.fail('Invalid value found for', shape.type, parent);
    return this.done(null, true);
  }

  private completeList(
    { of, type }: Extract<Shape, { kind: 'list' }>,
    before: unknown,
    input: unknown,
    selection: readonly Step[] | undefined,
    parent: CompositeType,
  ): unknown {
    const noList = (value: unknown): Error =>
      new Error(`Invalid non-list value ${value} returned by subgraph for list type ${type}`);
    if (!Array.isArray(input)) throw noList(input);
    if (before !== undefined) {
      if (!Array.isArray(before)) throw noList(before);
      if (input.length !== before.length) {
        throw new Error(
          `[${input}].length (${input.length}) !== [${before}].length (${before.length})`,
        );
      }
    }
    let nullify = false;
    let reported = false;
    const values: unknown[] = [];
    for (let index = 0; index < input.length; index += 1) {
      this.path.push(index);
      values.push(this.complete(of, before?.[index], input[index], selection, parent));
      this.path.pop();
      nullify ||= this.invalid;
      reported ||= this.reported;
    }
    return this.done(nullify ? null : values, reported);
  }

  private completeObject(
    type: CompositeType,
    before: unknown,
    input: unknown,
    selection: readonly Step[] | undefined,
  ): unknown {
    if (!selection) throw new Error(`Invalid empty selection set for composite type ${type}`);
    if (typeof input !== 'object' || (before !== undefined && typeof before !== 'object')) {
      throw new Error(
        `Invalid non-object value ${input} returned by subgraph for composite type ${type}`,
      );
    }
    const typename = (input as Values)['__typename'];
    if (typename !== undefined && typeof typename !== 'string') {
      throw new Error(`Invalid non-string value ${typename} for __typename at ${this.path}`);
    }
    let own = type;
    if (typename && typename !== type.name) {
      const named = this.schema.type(typename);
      if (!named || !isCompositeType(named)) {
        // The type is unknown to clients, or the entity does not exist.
        return this.done(null);
      }
      own = named;
    }
    const output = (before as Output | undefined) ?? createBare();
    const isWhole = this.select(selection, input as Values, output, own);
    return this.done(isWhole ? output : null, !isWhole);
  }

  private done(value: unknown, reported = false): unknown {
    this.invalid = false;
    this.reported = reported;
    return value;
  }

  private fail(what: string, type: OutputType, parent: CompositeType): void {
    const last = this.path.at(-1);
    const place =
      typeof last === 'string'
        ? `field ${parent}.${last}`
        : `array element of type ${type} at index ${last}`;
    this.misfits.push({ message: `${what} ${place}.`, path: Array.from(this.path) });
  }
}
