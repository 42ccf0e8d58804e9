import { join } from 'node:path';
import { stopLeftover } from '../processes/leftover.ts';
import { pidFileOf, type ServiceName, type Services } from './service-plan.ts';

/**
 * Ends what a killed `npm start` has left running in this folder, in the order of an ordinary stop: the services,
 * then what they stand on.
 */
export async function stopLeftovers(
  directory: string,
  services: Services,
  log: (line: string) => void,
): Promise<void> {
  const pids = await Promise.all(
    (Object.keys(services) as ServiceName[]).map((name) =>
      stopLeftover(pidFileOf(directory, name), services[name].script),
    ),
  );
  const kafka = join(directory, 'kafka');
  const postgres = join(directory, 'postgres');
  pids.push(
    ...(await Promise.all([
      stopLeftover(join(kafka, 'kafka.pid'), kafka),
      stopLeftover(join(postgres, 'postgres.pid'), postgres, 'SIGINT'),
    ])),
  );
  const found = pids.filter((pid) => pid !== undefined);
  if (found.length > 0) {
    log(`An earlier start was killed; stopped what it had left running (${found.join(', ')})`);
  }
}
