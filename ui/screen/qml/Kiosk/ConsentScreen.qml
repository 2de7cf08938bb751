pragma ComponentBehavior: Bound

import QtQuick
import Kiosk.ViewModels

Page {
    id: root

    required property ConsentViewModel viewModel

    heading: viewModel.heading
    pictureHeight: Theme.elder ? 0 : Theme.panelHeight * 0.15

    picture: Picture {
        anchors.horizontalCenter: parent.horizontalCenter
        fill: root.viewModel.aboutFace ? "M100 34 C134 34 146 62 144 92 C142 132 122 164 100 164 C78 164 58 132 56 92 C54 62 66 34 100 34 Z" : "M40 60 H160 A8 8 0 0 1 168 68 V138 A8 8 0 0 1 160 146 H40 A8 8 0 0 1 32 138 V68 A8 8 0 0 1 40 60 Z"
        height: parent ? parent.height : 0
        strokes: root.viewModel.aboutFace ? "M100 34 C134 34 146 62 144 92 C142 132 122 164 100 164 C78 164 58 132 56 92 C54 62 66 34 100 34 Z M80 88 V94 M120 88 V94 M82 126 C92 136 108 136 118 126" : "M40 60 H160 A8 8 0 0 1 168 68 V138 A8 8 0 0 1 160 146 H40 A8 8 0 0 1 32 138 V68 A8 8 0 0 1 40 60 Z M50 124 C50 104 86 104 86 124 M68 80 A12 12 0 1 1 67.99 80"
        thin: root.viewModel.aboutFace ? "M36 52 V36 H52 M148 36 H164 V52 M164 148 V164 H148 M52 164 H36 V148 M100 100 V110" : "M102 84 H150 M102 100 H150 M102 116 H132"
        width: height
    }

    Rectangle {
        id: card

        anchors.left: parent.left
        anchors.right: parent.right
        anchors.top: parent.top
        border.color: Theme.hairline
        border.width: Theme.hair
        color: Theme.surface
        height: Math.min(text.height + Theme.gap * 4 + more.height, choices.y - Theme.gap * 2)
        radius: Theme.radius

        Flickable {
            id: reader

            anchors.bottom: more.top
            anchors.left: parent.left
            anchors.margins: Theme.gap * 2
            anchors.right: parent.right
            anchors.top: parent.top
            boundsBehavior: Flickable.StopAtBounds
            clip: true
            contentHeight: text.height
            objectName: "consentText"

            Column {
                id: text

                spacing: Theme.gap * 1.5
                width: reader.width - Theme.gap

                Words {
                    font.pixelSize: Theme.lead
                    strong: true
                    text: root.viewModel.title
                    width: parent.width
                }

                Repeater {
                    model: root.viewModel.paragraphs

                    Words {
                        required property string label

                        lineHeight: 1.12
                        text: label
                        width: text.width
                    }
                }
            }
        }

        // Said only while there is more to read: nobody agrees to half a text unawares.
        Rectangle {
            id: more

            anchors.bottom: parent.bottom
            anchors.left: parent.left
            anchors.right: parent.right
            border.color: Theme.hairline
            border.width: Theme.hair
            color: reader.atYEnd ? Theme.surface : Theme.accentSoft
            height: choices.y - Theme.gap * 2 < text.height + Theme.gap * 4 ? hint.implicitHeight + Theme.gap : 0
            radius: Theme.radius
            visible: height > 0

            Words {
                id: hint

                anchors.centerIn: parent
                color: Theme.accent
                objectName: "moreToRead"
                text: root.viewModel.more
                visible: !reader.atYEnd
            }
        }

        Rectangle {
            anchors.right: parent.right
            anchors.rightMargin: Theme.gap * 0.7
            color: Theme.muted
            height: reader.height * reader.visibleArea.heightRatio
            radius: width / 2
            visible: reader.contentHeight > reader.height
            width: Theme.mm
            y: reader.y + reader.height * reader.visibleArea.yPosition
        }
    }

    Row {
        id: choices

        anchors.bottom: parent.bottom
        height: Math.max(agree.implicitHeight, decline.implicitHeight, Theme.elder ? 0 : Theme.button * 2)
        spacing: Theme.gap * 1.5
        width: parent.width

        ChoiceCard {
            id: agree

            height: parent.height
            hint: root.viewModel.agreeHint
            label: root.viewModel.agreeWords
            objectName: root.viewModel.aboutFace ? "faceYesButton" : "agreeButton"
            path: root.viewModel.aboutFace ? Glyphs.face : Glyphs.yes
            width: (parent.width - parent.spacing) / 2

            onTapped: root.viewModel.agree()
        }

        ChoiceCard {
            id: decline

            height: parent.height
            hint: root.viewModel.declineHint
            label: root.viewModel.declineWords
            objectName: root.viewModel.aboutFace ? "faceStaffButton" : "declineButton"
            path: Glyphs.person
            width: (parent.width - parent.spacing) / 2

            onTapped: root.viewModel.decline()
        }
    }
}
