/**
 * A test process that logs some lines and exits when its stdin ends. Before that, the test closes the
 * reader of this process's stdout.
 */
import { createLogger } from '../logger.ts';

const log = createLogger('test', 'info');
process.stdin.resume();
process.stdin.once('end', () => {
  for (const line of ['one', 'two', 'three']) log.fatal(line);
  process.exit(3);
});
