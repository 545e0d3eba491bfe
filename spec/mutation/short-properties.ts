/**
 * In a first pass, properties give up after a moment, and do not look for the smallest input that fails: a property of a
 * thousand runs would otherwise be tried for each of hundreds of mutants. What survives is tried again with all runs.
 */
import fc from 'fast-check';

fc.configureGlobal({ interruptAfterTimeLimit: 300, markInterruptAsFailure: false, endOnFailure: true });
