/** The site plan: a picture laid on the map by three of its corners, turned as it lies. */
import type { Layer, Map as LeafletMap } from "leaflet";
import { address } from "../api/client";
import type { SitePlan } from "../api/risk";

type Leaflet = typeof import("leaflet");
type Corner = [number, number];

/** All four corners of a plan, longitude and latitude: top left, top right, bottom right, bottom left. */
export function onCorners({ corners: [topLeft, topRight, bottomLeft] }: SitePlan): [Corner, Corner, Corner, Corner] {
  return [topLeft, topRight, [topRight[0] + bottomLeft[0] - topLeft[0], topRight[1] + bottomLeft[1] - topLeft[1]], bottomLeft];
}

/** How a picture of so many pixels is laid so that three of its corners come to these places: CSS `matrix()`. */
export function matrixOf(width: number, height: number, topLeft: { x: number; y: number }, topRight: { x: number; y: number }, bottomLeft: { x: number; y: number }): string {
  const across = [(topRight.x - topLeft.x) / width, (topRight.y - topLeft.y) / width];
  const down = [(bottomLeft.x - topLeft.x) / height, (bottomLeft.y - topLeft.y) / height];
  return `matrix(${[...across, ...down, topLeft.x, topLeft.y].join(",")})`;
}

/** The plan as a layer below the outlines. */
export function planLayer(leaflet: Leaflet, plan: SitePlan): Layer {
  const image = document.createElement("img");
  image.src = `api/v1/${address("register/risks/plan", { of: plan.digest })}`;
  image.alt = "";
  image.className = "site-plan leaflet-zoom-hide";
  Object.assign(image.style, { position: "absolute", left: "0", top: "0", width: `${plan.width}px`, height: `${plan.height}px`, maxWidth: "none", maxHeight: "none", transformOrigin: "0 0", pointerEvents: "none" });
  const lay = (map: LeafletMap) => {
    const [topLeft, topRight, , bottomLeft] = onCorners(plan).map(([lon, lat]) => map.latLngToLayerPoint([lat, lon])) as [{ x: number; y: number }, { x: number; y: number }, unknown, { x: number; y: number }];
    image.style.transform = matrixOf(plan.width, plan.height, topLeft, topRight, bottomLeft);
  };
  const PlanLayer = leaflet.Layer.extend({
    onAdd(map: LeafletMap) {
      map.getPane("tilePane")!.append(image);
      lay(map);
    },
    onRemove() {
      image.remove();
    },
    getEvents() {
      const map = (this as unknown as { _map: LeafletMap })._map;
      return { zoomend: () => lay(map), viewreset: () => lay(map) };
    },
  });
  return new PlanLayer() as Layer;
}
