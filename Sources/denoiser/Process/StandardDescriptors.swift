import Glibc

/// Opens those of descriptors 0 to 2 that are closed; false if the system gives none.
///
/// Otherwise the first files and sockets get these numbers, and text for standard error goes into
/// them. Reading from 0 and writing to 1 still fail, so that a command tells that its input or
/// output is closed. Text written to 2 is lost, as the user wanted.
func occupyStandardDescriptors() -> Bool {
    for number: Int32 in 0...2 where fcntl(number, F_GETFD) < 0 {
        let access = number == 1 ? O_RDONLY : O_WRONLY
        // A root without devices has no /dev/null; any file does.
        var opened = unsafe open("/dev/null", access)
        if opened < 0 { opened = unsafe open("/", O_RDONLY | O_DIRECTORY) }
        // The system gives the lowest free number: this one.
        guard opened == number else { return false }
    }
    return true
}
