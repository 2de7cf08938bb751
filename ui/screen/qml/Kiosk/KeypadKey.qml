import QtQuick
import Kiosk.ViewModels

Touch {
    id: root

    property string path
    property bool main: false
    readonly property bool filled: main && available
    readonly property color ink: available ? (main ? Theme.accentInk : Theme.ink) : Theme.off

    Rectangle {
        anchors.fill: parent
        border.color: root.filled ? Theme.accent : Theme.hairline
        border.width: root.available ? Theme.hair : 0
        color: !root.available ? Theme.offGround : root.filled ? (root.pressed ? Theme.accentPressed : Theme.accent) : (root.pressed ? Theme.accentSoft : Theme.surface)
        radius: Theme.radius
    }

    Words {
        anchors.centerIn: parent
        color: root.ink
        font.pixelSize: root.main ? Theme.lead : Theme.heading
        strong: root.main
        silent: true
        text: root.path === "" ? root.label : ""
        wrapMode: Text.NoWrap
    }

    Glyph {
        anchors.centerIn: parent
        path: root.path
        tone: root.ink
        visible: root.path !== ""
    }
}
