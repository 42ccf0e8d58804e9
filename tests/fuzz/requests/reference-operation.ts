import {
  type DocumentNode,
  executeSync,
  getOperationAST,
  Kind,
  type OperationTypeNode,
  parse,
  validate,
  visit,
} from 'graphql';
import { type Call, echoRoot, echoSchema } from './echo-graph.ts';

/** The parts of a request that choose what runs. */
export interface OperationRequest {
  readonly query: string;
  readonly operationName: string | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** What a valid operation executes, and its data. */
export interface ReferenceRun {
  readonly kind: OperationTypeNode;
  readonly calls: readonly Call[];
  readonly data: unknown;
}

/** The reference refuses a request. */
export class Refused extends Error {}

/** The gateway's default limits. Generated operations are far below or far above them. */
const LIMITS = { tokens: 2_000, depth: 20, aliases: 100, roots: 50, directives: 50, spreads: 200 };

const documents = new Map<string, DocumentNode | Refused>();
const MAX_DOCUMENTS = 5_000;

/**
 * Runs an operation with graphql-js alone.
 * @throws {Refused} if the operation is invalid or exceeds a limit
 */
export function runReference(request: OperationRequest): ReferenceRun {
  const document = validDocument(request.query);
  const operation = getOperationAST(document, request.operationName);
  if (!operation) throw new Refused('no such operation');
  const calls: Call[] = [];
  const { data, errors } = executeSync({
    schema: echoSchema,
    document,
    rootValue: echoRoot((call) => calls.push(call)),
    variableValues: request.variables,
    operationName: request.operationName ?? null,
  });
  if (errors) throw new Refused(String(errors[0]?.message));
  return { kind: operation.operation, calls, data };
}

/**
 * Parses and validates a document.
 * @throws {Refused} if it is invalid or exceeds a limit
 */
export function validDocument(text: string): DocumentNode {
  let known = documents.get(text);
  if (known === undefined) {
    known = check(text);
    if (documents.size >= MAX_DOCUMENTS) documents.clear();
    documents.set(text, known);
  }
  if (known instanceof Refused) throw known;
  return known;
}

function check(text: string): DocumentNode | Refused {
  try {
    const document = parse(text, { maxTokens: LIMITS.tokens });
    const [error] = validate(echoSchema, document);
    if (error) return new Refused(error.message);
    return exceedsLimits(document) ? new Refused('a limit is exceeded') : document;
  } catch (error) {
    // For some subscriptions with @include, the rules of graphql-js throw instead of returning an error.
    return new Refused(String(error));
  }
}

function exceedsLimits(document: DocumentNode): boolean {
  const counts = { aliases: 0, directives: 0, spreads: 0, depth: 0, roots: 0 };
  let depth = 0;
  visit(document, {
    Field: {
      enter: (field) => {
        depth += 1;
        counts.depth = Math.max(counts.depth, depth);
        if (field.alias) counts.aliases += 1;
      },
      leave: () => {
        depth -= 1;
      },
    },
    Directive: () => {
      counts.directives += 1;
    },
    FragmentSpread: () => {
      counts.spreads += 1;
    },
  });
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    counts.roots = Math.max(counts.roots, definition.selectionSet.selections.length);
  }
  const names = Object.keys(counts) as (keyof typeof counts)[];
  return names.some((name) => counts[name] > LIMITS[name]);
}
