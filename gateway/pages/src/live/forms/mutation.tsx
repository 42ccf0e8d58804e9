import { useState } from 'react';
import { type Answer, send } from '../../graph/graph-client.ts';
import { errorText, unavailableServices } from '../../graph/graph-errors.ts';
import { useLive } from '../live-context.tsx';

export interface Mutation<T> {
  readonly isBusy: boolean;
  /** Error of the last attempt; empty when it succeeded. */
  readonly problem: string;
  /** Returns the data, or undefined after setting `problem`. */
  readonly send: (variables: Readonly<Record<string, unknown>>) => Promise<T | undefined>;
}

/**
 * @param noAnswerText text to show if no answer arrives, so that it is unknown whether the mutation
 *   was executed
 */
export function useMutation<T>(mutation: string, noAnswerText: string): Mutation<T> {
  const { client, checkServices } = useLive();
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  return {
    isBusy,
    problem,
    send: async (variables) => {
      setBusy(true);
      setProblem('');
      let answer: Answer<T>;
      try {
        answer = await send<T>(client, mutation, variables);
      } catch {
        setProblem(noAnswerText);
        checkServices();
        return undefined;
      } finally {
        setBusy(false);
      }
      const [error] = answer.errors;
      if (error) setProblem(errorText(error));
      if (unavailableServices(answer.errors).length > 0) checkServices();
      return error || !answer.data ? undefined : answer.data;
    },
  };
}

/** The result of a form. Screen readers read each change. */
export function FormResult({
  tone,
  text,
}: {
  tone: 'ok' | 'waiting' | 'bad';
  /** Empty: no result yet. */
  text: string;
}) {
  return (
    <output className="result" data-tone={tone}>
      {text}
    </output>
  );
}
