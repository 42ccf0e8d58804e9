import type { LiveClient } from '@gudang/client';
import { fetchStatus } from '../../design/status.ts';
import { send } from '../../graph/graph-client.ts';
import { unavailableServices } from '../../graph/graph-errors.ts';
import { SERVICES_QUERY } from '../operations.ts';
import type { Services } from './connection.ts';

const NO_ORDER = '00000000-0000-0000-0000-000000000000';

/**
 * Finds out which services and whether Kafka are unavailable, by the gateway's `/status`. If a proxy
 * does not forward `/status`, a query of one id of each service finds out about the services alone.
 * @throws if the gateway does not answer
 */
export async function checkServices(client: LiveClient): Promise<Services> {
  const { parts, unavailable = [] } = await fetchStatus();
  if (parts) {
    const kafka = parts.find(({ id }) => id === 'kafka');
    const isKafkaUnavailable = kafka !== undefined && !['ok', 'unknown'].includes(kafka.state);
    return { unavailable, isKafkaUnavailable };
  }
  const { errors } = await send(client, SERVICES_QUERY, { stock: '-', order: NO_ORDER });
  return { unavailable: unavailableServices(errors), isKafkaUnavailable: false };
}
