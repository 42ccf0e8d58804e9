import type { GatewayContext } from '../context.ts';
import type { AnswerParts } from '../defer/answer-parts.ts';
import type { AdmittedRequest } from '../limits/admission.ts';

/** An answer over HTTP. Requests that share an execution get the same bytes. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Iterable<readonly [string, string]>;
  /** JSON of the result; only of its first part if there are `parts`. */
  readonly body: string;
  /** The parts that follow `body`; undefined if it is complete. */
  readonly parts?: AnswerParts;
  /** Whether a subgraph did not answer, or refused a request. */
  readonly isUnavailable?: boolean;
  /** Whether `headers` has headers of subgraphs' answers. Such an answer belongs to one request. */
  readonly isPrivate?: boolean;
}

/**
 * Answers queries and mutations of every protocol. `apollo-pipeline.ts` can answer every request,
 * through Apollo Server. `operation-fast-path.ts` answers most operations that Apollo Server has
 * answered before. docs/decisions/plan-executor-and-fast-path.md gives the reasons.
 */
export interface RequestPipeline {
  readonly answer: (request: AdmittedRequest, context: GatewayContext) => Promise<HttpAnswer>;
}

/**
 * Whether an answer has data and no errors. The start of the body is sufficient for this check,
 * because both implementations write `errors` before `data`.
 */
export function hasNoErrors({ status, body }: HttpAnswer): boolean {
  return status === 200 && body.startsWith('{"data"');
}
