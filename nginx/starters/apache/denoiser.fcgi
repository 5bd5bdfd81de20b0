#!/bin/sh
# Apache's mod_fcgid runs this with its socket on descriptor 0. It kills a process 3 seconds after it asked it to end.
exec /home/you/denoiser/denoiser serve --config /home/you/denoiser/nginx/serve.conf --stop-timeout 2
