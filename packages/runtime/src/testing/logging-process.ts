/** Logs some lines at once and ends, when its input does: for what happens once nobody reads them. */
import { createLogger } from '../logger.ts';

const log = createLogger('test', 'info');
process.stdin.resume();
process.stdin.once('end', () => {
  for (const line of ['one', 'two', 'three']) log.fatal(line);
  process.exit(3);
});
