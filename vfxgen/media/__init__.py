"""Files on disk: frame patterns, images through OpenImageIO, movies through PyAV, atomic publishing."""
