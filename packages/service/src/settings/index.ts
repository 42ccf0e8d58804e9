export { type AuthSettings, authSettings } from './auth-settings.ts';
export * from './settings.ts';
export { type SettingRow, settingsMarkdown } from './settings-table.ts';
export {
  databaseSettings,
  httpSettings,
  identitySettings,
  kafkaSettings,
} from './shared-settings.ts';
