#!/bin/sh
# mod_fcgid runs this with its socket on descriptor 0. It kills a process 3 s after SIGTERM.
exec /home/you/denoiser/denoiser serve --config /home/you/denoiser/nginx/serve.conf --stop-timeout 2
