import type { GraphQLFormattedError } from 'graphql';
import { markAbsentEntities } from './absent-entities.ts';

/** What a subgraph said to an operation. */
export interface SubgraphAnswer {
  data?: Record<string, unknown> | null;
  errors?: readonly GraphQLFormattedError[];
  extensions?: Record<string, unknown>;
}

/**
 * An answer for any number of executions: each call gives one that is nobody else's, as an execution
 * merges what comes next into it.
 */
export interface SharedAnswer {
  (): SubgraphAnswer;
  readonly hasErrors: boolean;
}

/** @throws when the text is no GraphQL answer */
export function parseSharedAnswer(text: string): SharedAnswer {
  const read = (): SubgraphAnswer => {
    const answer = readAnswer(text);
    markAbsentEntities(answer);
    return answer;
  };
  let first: SubgraphAnswer | undefined = read();
  const hasErrors = first.errors !== undefined;
  const take = (): SubgraphAnswer => {
    const answer = first ?? read();
    first = undefined;
    return answer;
  };
  return Object.assign(take, { hasErrors });
}

function readAnswer(text: string): SubgraphAnswer {
  const answer: unknown = JSON.parse(text);
  if (typeof answer !== 'object' || answer === null || !('data' in answer || 'errors' in answer)) {
    throw new Error('the answer is JSON, but not of GraphQL');
  }
  return answer as SubgraphAnswer;
}

/**
 * The answer in place of one that did not come. It names the subgraph and nothing of the network;
 * the log has the reason.
 * @param unsure whether a mutation may have been carried out all the same
 */
export function unavailableAnswer(
  subgraph: string,
  reason: string,
  unsure: boolean,
): SubgraphAnswer {
  const message = unsure
    ? `The subgraph ${subgraph} ${reason}; the change may have been made: look before you repeat it`
    : `The subgraph ${subgraph} ${reason}; try again`;
  return {
    errors: [
      {
        message,
        extensions: unsure ? { code: 'UNAVAILABLE' } : { code: 'UNAVAILABLE', retryable: true },
      },
    ],
  };
}
