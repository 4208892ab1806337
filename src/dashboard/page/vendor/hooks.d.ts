/** Types of what stands beside it in dist: preact's hooks as they are published. */
export { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
