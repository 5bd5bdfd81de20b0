#include <fcgiapp.h>

// Linux calls that Swift's Glibc module leaves out.
#include <malloc.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

// Behind _GNU_SOURCE in <sys/socket.h>, which that module is built without.
struct sockaddr;
int accept4(int descriptor, struct sockaddr *address, unsigned int *length, int flags);
