internal import Glibc

/// A call that the system refused.
package struct SystemError: Error, Equatable, CustomStringConvertible {
    /// The call's `errno`.
    package let code: Int32

    package init(code: Int32) { self.code = code }

    /// The error that the last call of this thread left in `errno`.
    static var last: SystemError { SystemError(code: errno) }

    package var description: String { systemErrorText(code) }
}

/// The C library's words for an `errno`.
package func systemErrorText(_ code: Int32) -> String {
    unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
}
