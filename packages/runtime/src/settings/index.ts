export { isLoopbackHost } from '../http/loopback.ts';
export { callerSettings } from './caller-settings.ts';
export { httpSettings } from './http-settings.ts';
export * from './settings.ts';
export { type SettingRow, settingsMarkdown } from './settings-table.ts';
