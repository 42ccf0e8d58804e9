import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take a minute or more: one that began last would be waited for alone. */
const LONG = [
  /\/tests\/secured\//,
  /\/tests\/chaos\//,
  /\/tests\/scale\//,
  /\/tests\/disaster\//,
  /\/browser\/pages\.e2e/,
  /\/previous-release\.e2e/,
  /supergraph-change\.int/,
];

/** A clean clone knows nothing of earlier runs, by which Vitest would order files itself. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification): boolean =>
      LONG.some((long) => long.test(moduleId));
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}
