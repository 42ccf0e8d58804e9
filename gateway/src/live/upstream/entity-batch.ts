import type { GraphQLFormattedError } from 'graphql';
import type { Values } from '../../plan-execution/plan-executor.ts';
import type { SubgraphAnswer } from '../../subgraphs/subgraph-answer.ts';

/** Sends a request for entities, or for anything else. Never rejects. */
type Send = (variables: Values) => Promise<SubgraphAnswer>;

/** A request of one event. */
interface Call {
  readonly variables: Values;
  readonly representations: readonly unknown[];
  readonly resolve: (answer: SubgraphAnswer | Promise<SubgraphAnswer>) => void;
}

interface Batch {
  readonly send: Send;
  readonly calls: Call[];
}

/**
 * Joins the requests of several events that run at the same time, so that a subgraph receives one request
 * for all of their entities and reads them together. The events must have the same plan and variables.
 *
 * If the answer to a joined request cannot be divided among the events, each event sends its own request
 * after that of the event before it. An event therefore never fails because of another one.
 */
export class EntityBatch {
  /** Requests that are not sent yet, by subgraph and operation. */
  readonly #waiting = new Map<string, Batch>();

  /**
   * @param key the request's subgraph and operation; requests with the same key are joined if their other
   * variables are the same, too. Arguments from a context can differ between events.
   */
  fetch(key: string, variables: Values, send: Send): Promise<SubgraphAnswer> {
    const { representations } = variables;
    if (!Array.isArray(representations)) return send(variables);
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(key) ?? this.#open(key, send);
      const [first] = waiting.calls;
      if (first && !isSame(first.variables, variables)) resolve(send(variables));
      else waiting.calls.push({ variables, representations, resolve });
    });
  }

  #open(key: string, send: Send): Batch {
    const batch: Batch = { send, calls: [] };
    this.#waiting.set(key, batch);
    // Runs when no promise is left to be handled, so that all events have reached this request.
    process.nextTick(() => {
      this.#waiting.delete(key);
      void sendAll(batch);
    });
    return batch;
  }
}

/** Whether two requests differ only in their representations. */
function isSame(one: Values, other: Values): boolean {
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => name === 'representations' || one[name] === other[name])
  );
}

async function sendAll({ send, calls }: Batch): Promise<void> {
  const [first] = calls;
  if (!first) return;
  if (calls.length === 1) return first.resolve(send(first.variables));
  const representations = calls.flatMap((call) => call.representations);
  const answers = divide(await send({ ...first.variables, representations }), calls);
  for (const [index, { variables, resolve }] of calls.entries()) {
    resolve(answers?.[index] ?? (await send(variables)));
  }
}

/** @returns the answer to each call; undefined if a part of the answer belongs to no single call */
function divide(
  { data, errors = [], ...rest }: SubgraphAnswer,
  calls: readonly Call[],
): readonly SubgraphAnswer[] | undefined {
  const entities = data?.['_entities'];
  const counts = calls.map(({ representations }) => representations.length);
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (!Array.isArray(entities) || entities.length !== total) return undefined;
  const owners = counts.flatMap((count, call) => Array.from({ length: count }, () => call));
  const errorsOf = counts.map((): GraphQLFormattedError[] => []);
  const starts = counts.map((_count, call) => owners.indexOf(call));
  for (const error of errors) {
    const [root, index, ...path] = error.path ?? [];
    const call = root === '_entities' ? owners[index as number] : undefined;
    if (call === undefined) return undefined;
    const start = starts[call] ?? 0;
    errorsOf[call]?.push({
      ...error,
      path: [root, (index as number) - start, ...path] as string[],
    });
  }
  return counts.map((count, call) => {
    const start = starts[call] ?? 0;
    const own = errorsOf[call] ?? [];
    const answer = { ...rest, data: { ...data, _entities: entities.slice(start, start + count) } };
    return own.length > 0 ? { ...answer, errors: own } : answer;
  });
}
