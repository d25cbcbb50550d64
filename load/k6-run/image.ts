/** The public image of k6, pinned. */
export const k6Image = 'grafana/k6:2.2.0';
