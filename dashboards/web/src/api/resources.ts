/** Answers of the doors of emergency resources. */
export type ResourceSort = "team" | "expert" | "vehicle" | "material" | "shelter" | "hospital";

export interface Resource {
  id: string;
  code: string;
  name: string;
  sort: ResourceSort;
  state: "available" | "reserved" | "away" | "out_of_order";
  /** Number of the incident that has it; null for none. */
  incident: number | null;
  is_free: boolean;
  is_expired: boolean;
  expires_on: string | null;
  /** Of a material, in ``eu``: what no incident has reserved. */
  free: number | null;
  stock: number | null;
  minimum: number | null;
  is_short: boolean;
  eu: string;
  persons: number | null;
  can: string;
  address: string;
  person: string;
  phone: string;
  /** Longitude and latitude, degrees. */
  position: [number, number] | null;
  /** Along the ellipsoid, m. */
  distance_m: number | null;
}

export interface ResourceList {
  unit: string;
  position: [number, number] | null;
  resources: Resource[];
  is_whole: boolean;
}

/** What an incident reserved. */
export interface Hold {
  id: string;
  incident: number;
  resource: string;
  code: string;
  name: string;
  quantity: number | null;
  used: number;
  left: number | null;
  eu: string;
  state: "held" | "released" | "used";
  held: string;
  held_by: string;
  ended: string | null;
  ended_by: string;
}
