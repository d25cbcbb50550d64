/** The command was asked for something that it cannot do; the message says what is wrong and what to do. */
export class UsageError extends Error {}
