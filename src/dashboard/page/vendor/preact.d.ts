/** Types of what stands beside it in dist: preact as it is published. */
export { Fragment, createRef, h, render } from 'preact';
export type { ComponentChildren, JSX, RefObject, VNode } from 'preact';
