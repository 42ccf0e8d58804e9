import type { ServiceProcess } from '@gudang/testing/system/service-process';

/** SIGKILL to each at the same moment; resolves once they are gone. */
export async function killAll(parts: readonly ServiceProcess[]): Promise<void> {
  for (const part of parts) part.kill('SIGKILL');
  await Promise.all(parts.map((part) => part.exited));
}

export async function restartAll(parts: readonly ServiceProcess[]): Promise<void> {
  await Promise.all(parts.map((part) => part.restart()));
  await Promise.all(parts.map((part) => part.ready()));
}
