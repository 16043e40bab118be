/** Coverage of open campaigns. */
export interface Campaigns {
  is_whole: boolean;
  campaigns: {
    id: string;
    code: string;
    title: string;
    from: string;
    until: string;
    units: number;
    inspected: number;
    coverage_pct: number | null;
    missing: { id: string; code: string; name: string; cell: string; owner: string }[];
  }[];
}
