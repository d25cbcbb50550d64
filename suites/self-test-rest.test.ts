import { holdTrials } from './hold-trials.ts';

holdTrials(1);
