import Glibc

/// Opens those of descriptors 0 to 2 that are closed; false where the system gives none.
///
/// Else the first files and sockets opened get these numbers, and what is meant for standard error
/// goes into them. Reading from 0 and writing to 1 still fail, so that a command whose input or
/// output is closed says so; what goes to 2 is lost, as whoever closed it wanted.
func occupyStandardDescriptors() -> Bool {
    for number: Int32 in 0...2 where fcntl(number, F_GETFD) < 0 {
        let access = number == 1 ? O_RDONLY : O_WRONLY
        // In a root without devices any file does.
        var opened = unsafe open("/dev/null", access)
        if opened < 0 { opened = unsafe open("/", O_RDONLY | O_DIRECTORY) }
        // The lowest number that is free is given out: this one.
        guard opened == number else { return false }
    }
    return true
}
