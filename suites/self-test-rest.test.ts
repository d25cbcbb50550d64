import { holdTrials } from './hold-trials.ts';

// The expectations are in hold-trials.ts; two files, so that the halves run in two processes.
holdTrials(1);
