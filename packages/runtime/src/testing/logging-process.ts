/** Test process: logs some lines and exits when its stdin ends, to test a stdout without a reader. */
import { createLogger } from '../logger.ts';

const log = createLogger('test', 'info');
process.stdin.resume();
process.stdin.once('end', () => {
  for (const line of ['one', 'two', 'three']) log.fatal(line);
  process.exit(3);
});
