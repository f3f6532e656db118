"""How a net runs: torch, ONNX Runtime or spandrel behind one interface, on one device, in tiles."""
