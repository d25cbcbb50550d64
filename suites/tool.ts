import packageJson from '../package.json' with { type: 'json' };

/** Name and version, as reports, evidence and the user agent give them. */
export const tool = `${packageJson.name} ${packageJson.version}`;
