import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Test files that take a minute or more. They start first, so that none of them runs alone at the end.
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

/** Orders the test files without Vitest's cache of durations, because a fresh clone has no cache. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification): boolean =>
      LONG.some((long) => long.test(moduleId));
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}
