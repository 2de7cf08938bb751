import QtQuick
import Kiosk.ViewModels

// A screen is there at once, whole and readable, and comes to rest a short way up.
Item {
    id: root

    property real arrival

    transform: Translate {
        y: root.arrival * Theme.gap * 1.5
    }

    NumberAnimation on arrival {
        duration: Theme.motion
        easing.type: Easing.OutCubic
        from: 1
        to: 0
    }
}
