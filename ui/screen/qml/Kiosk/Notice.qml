import QtQuick
import Kiosk.ViewModels

// One sentence that helps: a hint (accent), or something to put right (amber).
Rectangle {
    id: root

    property string words
    property bool warning: false
    property string path: warning ? Glyphs.help : Glyphs.yes

    border.color: warning ? Theme.amber : Theme.accent
    border.width: Theme.hair
    color: warning ? Theme.amberSoft : Theme.accentSoft
    implicitHeight: Math.max(label.implicitHeight, glyph.height) + Theme.gap * 1.6
    radius: Theme.radius
    visible: words !== ""

    Glyph {
        id: glyph

        anchors.left: parent.left
        anchors.leftMargin: Theme.gap * 1.2
        anchors.verticalCenter: parent.verticalCenter
        path: root.path
        tone: root.warning ? Theme.amber : Theme.accent
    }

    Words {
        id: label

        anchors.left: glyph.right
        anchors.leftMargin: Theme.gap
        anchors.right: parent.right
        anchors.rightMargin: Theme.gap * 1.2
        anchors.verticalCenter: parent.verticalCenter
        text: root.words
    }
}
