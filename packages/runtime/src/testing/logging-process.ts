/**
 * A test process that logs some lines and exits when its stdin ends. The test closes the reader of its
 * stdout first.
 */
import { createLogger } from '../logger.ts';

const log = createLogger('test', 'info');
process.stdin.resume();
process.stdin.once('end', () => {
  for (const line of ['one', 'two', 'three']) log.fatal(line);
  process.exit(3);
});
