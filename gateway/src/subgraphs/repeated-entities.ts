import type { GraphQLFormattedError } from 'graphql';
import type { RequestError } from '../errors/request-error.ts';
import type { SubgraphAnswer } from './subgraph-answer.ts';

type Values = Readonly<Record<string, unknown>>;

/** A list of representations in a request, and the list of entities that answers it. */
export interface EntityList {
  /** Name of the variable that contains the representations. */
  readonly variable: string;
  /** Response name of the field that contains their entities, in the same order. */
  readonly field: string;
}

/** The list of a request for entities. */
export const ENTITIES: readonly EntityList[] = [
  { variable: 'representations', field: '_entities' },
];

/** The variables of a request without repeated representations. */
export interface DistinctEntities {
  readonly variables: Values;
  /**
   * Returns the answer as if the subgraph had received all representations. Each repeated entity is a copy of
   * its own, because executions merge later answers into it. Each error of an entity is repeated, too.
   * @param admit counts the approximate number of bytes that are added, before they are. @returns an error to
   * refuse them, which the answer has then
   * @throws if a value is nested too deeply to be copied
   */
  readonly repeat: (
    answer: SubgraphAnswer,
    admit: (bytes: number) => RequestError | undefined,
  ) => SubgraphAnswer;
}

/**
 * Removes repeated representations, so that a subgraph resolves each entity once. Representations are equal if
 * their JSON is.
 * @returns undefined if no representation occurs twice
 */
export function withoutRepeats(
  variables: Values,
  lists: readonly EntityList[],
): DistinctEntities | undefined {
  const reduced: Reduced[] = [];
  for (const { variable, field } of lists) {
    const given = variables[variable];
    if (!Array.isArray(given) || given.length < 2) continue;
    const { distinct, places } = findDistinct(given);
    if (distinct.length < given.length) reduced.push({ variable, field, distinct, places });
  }
  if (reduced.length === 0) return undefined;
  const sent = { ...variables };
  for (const { variable, distinct } of reduced) sent[variable] = distinct;
  return {
    variables: sent,
    repeat: (answer, admit) => {
      let size = 0;
      for (const list of reduced) size += repeatedSize(answer, list);
      const refusal = admit(size);
      if (refusal) return { errors: [refusal.toJSON()] };
      return reduced.reduce(repeatIn, answer);
    },
  };
}

interface Reduced extends EntityList {
  readonly distinct: readonly unknown[];
  /** For each given representation, its index among the distinct ones. */
  readonly places: readonly number[];
}

function findDistinct(given: readonly Values[]): Pick<Reduced, 'distinct' | 'places'> {
  const keyField = keyFieldOf(given[0]);
  const type = given[0]?.['__typename'];
  const byKey = new Map<unknown, number>();
  const byText = new Map<string, number>();
  const distinct: unknown[] = [];
  const places: number[] = [];
  for (const one of given) {
    const isPlain =
      keyField !== undefined && one['__typename'] === type && keyFieldOf(one) === keyField;
    const known: Map<unknown, number> = isPlain ? byKey : byText;
    const key = isPlain ? one[keyField] : JSON.stringify(one);
    let place = known.get(key);
    if (place === undefined) {
      place = distinct.length;
      known.set(key, place);
      distinct.push(one);
    }
    places.push(place);
  }
  return { distinct, places };
}

/**
 * Returns the name of the only field beside `__typename`, if its value is a string or a number. Most
 * representations are of this kind. To look up this value takes a fifth of the time to write the JSON.
 */
function keyFieldOf(representation: Values | undefined): string | undefined {
  let found: string | undefined;
  for (const name in representation) {
    if (name === '__typename') continue;
    if (found !== undefined) return undefined;
    found = name;
  }
  if (found === undefined) return undefined;
  const type = typeof representation?.[found];
  return type === 'string' || type === 'number' ? found : undefined;
}

function repeatIn(answer: SubgraphAnswer, list: Reduced): SubgraphAnswer {
  const { field, distinct, places } = list;
  const { data, errors } = answer;
  const whole = errors ? { ...answer, errors: repeatErrors(errors, list) } : answer;
  const received = data?.[field];
  if (!Array.isArray(received)) return whole;
  // A list of another length is wrong, and must not get the right length by chance.
  const entities = received.length === distinct.length ? repeatAll(received, places) : [];
  return { ...whole, data: { ...data, [field]: entities } };
}

function repeatAll(received: readonly unknown[], places: readonly number[]): unknown[] {
  const used: boolean[] = [];
  return places.map((place) => {
    if (used[place]) return copy(received[place]);
    used[place] = true;
    return received[place];
  });
}

/** Repeats the errors of entities, in the order of all entities. Other errors precede them. */
function repeatErrors(
  errors: readonly GraphQLFormattedError[],
  { field, places, distinct }: Reduced,
): GraphQLFormattedError[] {
  const all: GraphQLFormattedError[] = [];
  const ofEntities = new Map<number, GraphQLFormattedError[]>();
  for (const error of errors) {
    const index = error.path?.[0] === field ? error.path[1] : undefined;
    if (typeof index !== 'number') all.push(error);
    // Without this, an index outside the request's list would name an entity of the whole list.
    else if (index >= distinct.length) all.push(moved(error, NO_INDEX));
    else ofEntities.set(index, [...(ofEntities.get(index) ?? []), error]);
  }
  if (ofEntities.size === 0) return all;
  for (const [index, place] of places.entries()) {
    for (const error of ofEntities.get(place) ?? []) all.push(moved(error, index));
  }
  return all;
}

const NO_INDEX = -1;

function moved(error: GraphQLFormattedError, index: number): GraphQLFormattedError {
  const [field = '', , ...inner] = error.path ?? [];
  return { ...error, path: [field, index, ...inner] };
}

/** Copies a JSON value. */
function copy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copy);
  const copied: Record<string, unknown> = { ...value };
  for (const name of Object.keys(copied)) {
    const inner = copied[name];
    if (typeof inner === 'object' && inner !== null) copied[name] = copy(inner);
  }
  return copied;
}

function repeatedSize(
  { data, errors }: SubgraphAnswer,
  { field, distinct, places }: Reduced,
): number {
  const repeats: number[] = distinct.map(() => -1);
  for (const place of places) repeats[place] = (repeats[place] ?? 0) + 1;
  let size = 0;
  const received = data?.[field];
  if (Array.isArray(received)) {
    for (const [place, count] of repeats.entries()) {
      if (count > 0) size += count * sizeOf(received[place]);
    }
  }
  for (const error of errors ?? []) {
    const count = error.path?.[0] === field ? repeats[Number(error.path[1])] : undefined;
    if (count) size += count * sizeOf(error);
  }
  return size;
}

/** Returns the approximate size of a JSON value's text, in bytes. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 3;
  if (typeof value !== 'object' || value === null) return 6;
  let size = 3;
  if (Array.isArray(value)) for (const element of value) size += sizeOf(element);
  else {
    for (const name in value) size += name.length + 3 + sizeOf((value as Values)[name]);
  }
  return size;
}
