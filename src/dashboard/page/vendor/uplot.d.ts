/** Types of what stands beside it in dist: uPlot as it is published. */
export { default } from 'uplot';
