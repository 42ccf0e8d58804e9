import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Test files that take a minute or more. They start first, so that none of them still runs when all
 * others have ended.
 */
const LONG = [
  /\/tests\/secured\//,
  /\/tests\/chaos\//,
  /\/tests\/scale\//,
  /\/tests\/disaster\//,
  /\/browser\/pages\.e2e/,
  /\/previous-release\.e2e/,
  /supergraph-change\.int/,
];

/** Starts the long test files first. Vitest's cache of durations is not enough, because a fresh clone has none. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification): boolean =>
      LONG.some((long) => long.test(moduleId));
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}
